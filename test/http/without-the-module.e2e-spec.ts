import { Body, Controller, Module, Post, Scope } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsyncEndpoint, AsyncEndpointsModule, MemoryJobStore } from 'nestjs-async-endpoints';
import { Report, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, bootError } from './start-app.js';

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  @Post()
  @AsyncEndpoint(Report)
  create(@Body() request: ReportRequest): ReportRequest {
    return request;
  }
}

describe('Test.createTestingModule({ controllers }) without AsyncEndpointsModule', () => {
  it('creates a controller with async endpoints, whose methods just run', async () => {
    const module = await Test.createTestingModule({ controllers: [ReportsController] }).compile();
    await module.init();
    expect(module.get(ReportsController).create({ title: 'Bees' })).toEqual({ title: 'Bees' });
    await module.close();
  });

  it('creates a request-scoped controller', async () => {
    const module = await Test.createTestingModule({ controllers: [ScopedController] }).compile();
    const controller = await module.resolve(ScopedController);
    expect(controller.create({ title: 'Bees' })).toEqual({ title: 'Bees' });
  });

  it('does not start an application over HTTP', async () => {
    const module = await Test.createTestingModule({ controllers: [ReportsController] }).compile();
    await expect(module.createNestApplication().init()).rejects.toThrow('AsyncEndpointsModule is missing');
  });
});

describe.each(ADAPTERS)('An application on %s', (adapter) => {
  it('without forRoot refuses to boot, and states what to import', async () => {
    expect(await bootError(adapter, { asyncEndpoints: [], controllers: [ReportsController] })).toBe(
      'INVALID_ENDPOINT: AppModule has a controller with @AsyncEndpoint, but AsyncEndpointsModule is missing. Add ' +
        'AsyncEndpointsModule.forRoot() to the imports of the root module, or of AppModule with isGlobal: false.',
    );
  });

  it("refuses to boot when the module is not global and the controller's module does not import it", async () => {
    @Module({ controllers: [ReportsController] })
    class ReportsModule {}
    const local = AsyncEndpointsModule.forRoot({ isGlobal: false, role: 'api', store: new MemoryJobStore() });
    expect(await bootError(adapter, { asyncEndpoints: [local], imports: [ReportsModule] })).toContain(
      'or of ReportsModule with isGlobal: false.',
    );
  });
});
