import { applyDecorators, Controller, Post } from '@nestjs/common';
import { of } from 'rxjs';
import {
  AsyncEndpoint,
  AsyncHandler,
  defineJob,
  type HttpOptions,
  type HttpRequest,
  type Job,
  type JobHandler,
  type JobManager,
  type JobPayload,
  type JobResult,
  type Submit,
  SubmitJob,
  type SubmittedPayload,
} from '../index.js';

interface Order {
  item: string;
  count: number;
}

const Ship = defineJob<Order, { tracking: string }>('Ship');
const Ping = defineJob('Ping');
const order: Order = { item: 'book', count: 1 };

/** The compiler is the test: `npm run check` fails where an error below is missing, or one is not expected. */
describe('The types of a job', () => {
  it('are the same for every user of the definition', () => {
    expectTypeOf<SubmittedPayload<typeof Ship>>().toEqualTypeOf<Order>();
    expectTypeOf<JobResult<typeof Ship>>().toEqualTypeOf<{ tracking: string }>();
    expectTypeOf<SubmittedPayload<typeof Ping>>().toEqualTypeOf<void>();
  });

  it('bind what an endpoint submits itself', () => {
    type SubmitShip = Submit<typeof Ship>;
    @Controller()
    class Orders {
      @Post('submit') @AsyncEndpoint(Ship) submit(@SubmitJob() submit: SubmitShip) {
        return submit(order, { within: {}, delayMs: 1 });
      }
      // @ts-expect-error: it does not return the job
      @Post('void') @AsyncEndpoint(Ship) async nothing(@SubmitJob() submit: SubmitShip) {
        await submit(order);
      }
      // @ts-expect-error: it returns the payload
      @Post('payload') @AsyncEndpoint(Ship) payload(@SubmitJob() _submit: SubmitShip) {
        return order;
      }
      // @ts-expect-error: of another job
      @Post('other') @AsyncEndpoint(Ship) other(@SubmitJob() submit: Submit<typeof Ping>) {
        return submit();
      }
      // @ts-expect-error: a job that the endpoint did not submit
      @Post('manager') @AsyncEndpoint(Ship) manager() {
        return (null as unknown as JobManager).submit(Ship, order);
      }
    }
    expect(Orders).toBeDefined();
  });

  it('check the return type of an endpoint', () => {
    @Controller()
    class Orders {
      @Post('value') @AsyncEndpoint(Ship) value(): Order {
        return order;
      }
      @Post('promise') @AsyncEndpoint(Ship) async promise() {
        return order;
      }
      @Post('observable') @AsyncEndpoint(Ship) observable() {
        return of(order);
      }
      @Post('none') @AsyncEndpoint(Ping) none() {}
      @applyDecorators(Post('applied'), AsyncEndpoint(Ship)) applied() {
        return order;
      }
      // @ts-expect-error a property has another type
      @Post('wrong') @AsyncEndpoint(Ship) wrong() {
        return { item: 'book', count: 'one' };
      }
      // @ts-expect-error a property is missing
      @Post('missing') @AsyncEndpoint(Ship) async missing() {
        return { item: 'book' };
      }
      // @ts-expect-error nothing is returned
      @Post('nothing') @AsyncEndpoint(Ship) nothing() {}
    }
    expect(new Orders().value()).toBe(order);
  });

  it('check the class that describes the result', () => {
    class Shipped {
      tracking!: string;
    }
    class Other {
      tracking!: number;
    }
    AsyncEndpoint(Ship, { resultType: Shipped });
    AsyncEndpoint(defineJob<Order, Shipped[]>('All'), { resultType: [Shipped] });
    AsyncEndpoint(defineJob<Order, string | null>('Text'), { resultType: String });
    // @ts-expect-error a property has another type
    AsyncEndpoint(Ship, { resultType: Other });
    // @ts-expect-error the result is no list
    AsyncEndpoint(Ship, { resultType: [Shipped] });
    // @ts-expect-error the result is no text
    AsyncEndpoint(Ship, { resultType: String });
    const describe = (resultType: unknown) => () => {
      class Orders {
        @AsyncEndpoint(Ship, { resultType } as never) ship(): Order {
          return order;
        }
      }
      return new Orders();
    };
    expect(describe(Shipped)).not.toThrow();
    expect(describe([Shipped, Other])).toThrow('expected a class, or a list of one class');
    expect(describe('Shipped')).toThrow('resultType is Shipped; expected a class');
  });

  it('check the parameter and the return type of a handler', () => {
    @AsyncHandler(Ship)
    class Ships implements JobHandler<typeof Ship> {
      handle(request: Order) {
        return { tracking: request.item };
      }
    }
    // @ts-expect-error the result has another type
    @AsyncHandler(Ship)
    class WrongResult {
      handle() {
        return { tracking: 7 };
      }
    }
    // @ts-expect-error the request has another type
    @AsyncHandler(Ship)
    class WrongRequest {
      async handle(request: Order & { colour: string }) {
        return { tracking: request.colour };
      }
    }
    // @ts-expect-error no method handle
    @AsyncHandler(Ship)
    class NoHandle {
      run() {}
    }
    @AsyncHandler('AnyName')
    class ByName {
      handle(request: Order) {
        return request.count;
      }
    }
    // @ts-expect-error what is fixed at submission belongs to defineJob
    AsyncHandler(Ship, { maxRetries: 1 });
    expect([Ships, WrongResult, WrongRequest, NoHandle, ByName]).toHaveLength(5);
  });

  it('check the submitted payload, and type the result', () => {
    const use = async (jobs: JobManager) => {
      expectTypeOf(await jobs.submit(Ship, order)).toExtend<Job<{ tracking: string }>>();
      expectTypeOf((await jobs.waitFor<JobResult<typeof Ship>>('id')).result).toEqualTypeOf<{
        tracking: string;
      } | null>();
      await jobs.submit('AnyName', { whatever: true });
      // @ts-expect-error a property is missing
      await jobs.submit(Ship, { item: 'book' });
      // @ts-expect-error a property has another type
      await jobs.submitMany(Ship, [{ payload: { item: 'book', count: 'one' } }]);
    };
    expect(use).toBeTypeOf('function');
  });
});

describe('The types of a payload and a result after JSON', () => {
  class Reminder {
    at!: Date;
    readonly tags?: string[];
    isDue(): boolean {
      return this.at.getTime() < Date.now();
    }
  }
  const ByType = defineJob<Reminder, { sent: Date; nested: { at: Date | null }[] }>('ByType');
  const ByClass = defineJob('ByClass', { payload: Reminder, maxRetries: 1 });

  it('have dates as strings, and no methods', () => {
    expectTypeOf<SubmittedPayload<typeof ByType>>().toEqualTypeOf<Reminder>();
    expectTypeOf<JobPayload<typeof ByType>>().toEqualTypeOf<{ at: string; readonly tags?: string[] }>();
    expectTypeOf<JobResult<typeof ByType>>().toEqualTypeOf<{ sent: string; nested: { at: string | null }[] }>();
    @AsyncHandler(ByType)
    class Handles implements JobHandler<typeof ByType> {
      handle({ at }: JobPayload<typeof ByType>) {
        return { sent: new Date(at), nested: [] };
      }
    }
    // @ts-expect-error the date arrives as text
    @AsyncHandler(ByType)
    class ExpectsDate {
      handle({ at }: { at: Date }) {
        return { sent: at, nested: [] };
      }
    }
    expect([Handles, ExpectsDate]).toHaveLength(2);
  });

  it('are instances of the payload class when the job names one', () => {
    expectTypeOf<JobPayload<typeof ByClass>>().toEqualTypeOf<Reminder>();
    expect(ByClass).toMatchObject({ name: 'ByClass', payload: Reminder, options: { maxRetries: 1 } });
    @AsyncHandler(ByClass)
    class Handles implements JobHandler<typeof ByClass> {
      handle(reminder: Reminder) {
        reminder.isDue();
      }
    }
    expect(Handles).toBeTypeOf('function');
  });

  it('do not compile when JSON cannot represent them, with a message that names the part', () => {
    // @ts-expect-error payload.m is a Map
    defineJob<{ at: Date; m: Map<string, number> }>('Map');
    // @ts-expect-error payload.list[].big is a bigint
    defineJob<{ list: { big: bigint }[] }>('BigInt');
    // @ts-expect-error result is binary data
    defineJob<void, Uint8Array>('Bytes');
    // @ts-expect-error result.s is a Set
    defineJob<void, { s?: Set<string> }>('Set');
    expectTypeOf<
      Parameters<typeof defineJob<{ m: Map<string, number> }>>[0]
    >().toEqualTypeOf<'payload.m is a Map, which JSON cannot carry: use text, a number, a list or a plain object'>();
  });

  it('may be recursive, unknown or any', () => {
    interface Tree {
      value: number;
      children: Tree[];
      parent?: Tree;
    }
    expectTypeOf<JobPayload<ReturnType<typeof defineJob<Tree>>>['children'][0]['value']>().toEqualTypeOf<number>();
    defineJob<unknown, unknown>('Unknown');
    // oxlint-disable-next-line typescript/no-explicit-any
    defineJob<any, Record<string, unknown>>('Any');
  });
});

describe('The types of the options', () => {
  it('accept an owner function with a narrower request type', () => {
    type SignedIn = HttpRequest & { user: { id: string; age: number } };
    expectTypeOf((request: HttpRequest) => String(request.headers['x-user'])).toExtend<HttpOptions['owner']>();
    expectTypeOf((request: SignedIn) => request.user.id).toExtend<HttpOptions['owner']>();
    expectTypeOf((request: SignedIn) => Promise.resolve(request.user.id)).toExtend<HttpOptions['owner']>();
    expectTypeOf((request: SignedIn) => request.user.age).not.toExtend<HttpOptions['owner']>();
    expectTypeOf((request: { method: number }) => String(request.method)).not.toExtend<HttpOptions['owner']>();
  });
});
