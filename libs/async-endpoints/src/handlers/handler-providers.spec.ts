import { Inject, Injectable, Module, type Provider, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { AsyncEndpointsModule, AsyncHandler, defineJob, type JobContext, JobManager } from '../index.js';

const Greet = defineJob<string, string>('Greet');

@Injectable()
class Greeting {
  readonly text: string = 'Hello';
}

@AsyncHandler(Greet)
class GreetHandler {
  constructor(@Inject(Greeting) private readonly greeting: Greeting) {}

  handle(name: string): string {
    return `${this.greeting.text}, ${name}`;
  }
}

@AsyncHandler(Greet, { scope: Scope.REQUEST })
class ScopedHandler {
  constructor(@Inject(REQUEST) private readonly context: JobContext) {}

  handle(name: string): string {
    return `${this.context.name} ${name}`;
  }
}

/** Without the decorator. */
class FakeHandler {
  handle(name: string): string {
    return `fake ${name}`;
  }
}

const fake = new FakeHandler();
const HANDLER = 'any token';

/** What a job of this application results in. */
async function resultWith(providers: Provider[], replace = (builder: TestingModuleBuilder) => builder) {
  const imports = [AsyncEndpointsModule.forRoot({ worker: { maxConcurrency: 1 } })];
  const builder = Test.createTestingModule({ imports, providers: [Greeting, ...providers] });
  const module = await replace(builder).compile();
  onTestFinished(() => module.close().catch(() => {})); // on Nest 11 it rejects after a failed boot
  await module.init();
  const jobs = module.get(JobManager);
  return (await jobs.waitFor<string>((await jobs.submit(Greet, 'Ada')).id)).result;
}

describe('A handler in the providers of a module', () => {
  it.each<[string, Provider[], string]>([
    ['as a class', [GreetHandler], 'Hello, Ada'],
    ['by useClass', [{ provide: HANDLER, useClass: GreetHandler }], 'Hello, Ada'],
    ['by useValue', [{ provide: HANDLER, useValue: new GreetHandler({ text: 'Hi' }) }], 'Hi, Ada'],
    ['by useValue for its class', [{ provide: GreetHandler, useValue: { handle: () => 'plain' } }], 'plain'],
    [
      'by useFactory',
      [{ provide: HANDLER, useFactory: (greeting: Greeting) => new GreetHandler(greeting), inject: [Greeting] }],
      'Hello, Ada',
    ],
    [
      'by an asynchronous useFactory for its class',
      [{ provide: GreetHandler, useFactory: async () => ({ handle: () => 'made' }) }],
      'made',
    ],
    [
      'by a request-scoped useFactory for its class',
      [{ provide: GreetHandler, useFactory: () => fake, scope: Scope.REQUEST }],
      'fake Ada',
    ],
    ['by useExisting', [FakeHandler, { provide: GreetHandler, useExisting: FakeHandler }], 'fake Ada'],
    ['beside an alias of itself', [GreetHandler, { provide: HANDLER, useExisting: GreetHandler }], 'Hello, Ada'],
    [
      'by useExisting of a request-scoped class',
      [ScopedHandler, { provide: HANDLER, useExisting: ScopedHandler }],
      'Greet Ada',
    ],
    [
      'by useExisting of a request-scoped class for another handler class',
      [
        { provide: 'scoped', useClass: ScopedHandler },
        { provide: ScopedHandler, useExisting: 'scoped' },
      ],
      'Greet Ada',
    ],
  ])('runs %s', async (_how, providers, result) => {
    expect(await resultWith(providers)).toBe(result);
  });

  it('runs when two modules provide its class', async () => {
    @Module({ providers: [Greeting, GreetHandler] })
    class Other {}
    const module = await Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot(), Other],
      providers: [Greeting, GreetHandler],
    }).compile();
    onTestFinished(() => module.close().catch(() => {})); // on Nest 11 it rejects after a failed boot
    await expect(module.init()).resolves.toBe(module);
  });
});

describe.each([
  ['A handler', GreetHandler],
  ['A request-scoped handler', ScopedHandler],
])('%s when a test replaces it by overrideProvider', (_name, handler) => {
  it('runs the value', async () => {
    const value = { handle: vi.fn(() => 'mocked') };
    expect(await resultWith([handler], (module) => module.overrideProvider(handler).useValue(value))).toBe('mocked');
    expect(value.handle).toHaveBeenCalledExactlyOnceWith('Ada', expect.objectContaining({ name: 'Greet', attempt: 1 }));
  });

  it('runs the class', async () => {
    const replace = (module: TestingModuleBuilder) => module.overrideProvider(handler).useClass(FakeHandler);
    expect(await resultWith([handler], replace)).toBe('fake Ada');
  });

  it('runs the instance of the factory', async () => {
    const replace = (module: TestingModuleBuilder) =>
      module.overrideProvider(handler).useFactory({ factory: () => new FakeHandler() });
    expect(await resultWith([handler], replace)).toBe('fake Ada');
  });

  it('refuses to boot with a value without a method handle', async () => {
    const replace = (module: TestingModuleBuilder) => module.overrideProvider(handler).useValue({});
    await expect(resultWith([handler], replace)).rejects.toThrow(
      `${handler.name} handles job "Greet" but has no method handle(request, context).`,
    );
  });
});
