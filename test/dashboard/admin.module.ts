import { randomUUID } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, Module, UnauthorizedException } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { AsyncDashboardModule } from 'nestjs-async-endpoints/dashboard';

/** Makes the browser ask for a name and the password. A guard of your sessions works as well. */
@Injectable()
export class AdminGuard implements CanActivate {
  readonly #password = process.env['ADMIN_PASSWORD'] || randomUUID(); // without a password, nobody is let in

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<{ headers: { authorization?: string }; user?: object }>();
    const credentials = Buffer.from(request.headers.authorization?.replace(/^Basic /i, '') ?? '', 'base64').toString();
    const [username, password] = credentials.split(/:(.*)/s);
    if (password !== this.#password) {
      http.getResponse<{ header(name: string, value: string): void }>().header('www-authenticate', 'Basic');
      throw new UnauthorizedException();
    }
    request.user = { username };
    return true;
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
