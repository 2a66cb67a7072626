import { Injectable, type CanActivate, type ExecutionContext, Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { AsyncDashboardModule } from 'nestjs-async-endpoints/dashboard';

@Injectable()
export class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string }; user?: object }>();
    request.user = { username: 'anna' };
    return request.headers.authorization === `Bearer ${process.env['ADMIN_TOKEN']}`;
  }
}

@Module({
  imports: [
    AsyncEndpointsModule.forRoot(),
    AsyncDashboardModule.forRoot({
      path: 'admin/jobs',
      guards: [AdminGuard],
      access: () => 'operate',
      show: { redact: (path, value) => (path.at(-1) === 'email' ? 'hidden' : value) },
    }),
  ],
})
export class AdminModule {}
