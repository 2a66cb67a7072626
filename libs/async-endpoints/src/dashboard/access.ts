import {
  BadRequestException,
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { HttpRequest } from '../options/options.js';
import { DASHBOARD_RULES, type DashboardAccess, type DashboardRules } from './options.js';

/** Sent by the page with each action: a form or a link of another site cannot send it. */
export const ACTION_HEADER = 'x-async-endpoints-dashboard';

/** A person at the dashboard: the access that they have, and the owner whose jobs alone they see; null for all jobs. */
export interface Visitor {
  readonly access: DashboardAccess;
  readonly owner: string | null;
}

interface Request extends HttpRequest {
  method: string;
  headers: Record<string, string | string[] | undefined>;
  user?: unknown;
}

const VISITORS = new WeakMap<object, Visitor>();

/** Runs after the guards of the application, for every route of the dashboard. */
@Injectable()
export class DashboardGuard implements CanActivate {
  constructor(@Inject(DASHBOARD_RULES) private readonly rules: DashboardRules) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    refuseForeignRead(request);
    const { access: accessOf = () => 'read', owner: ownerOf = () => null } = this.rules;
    const access = await accessOf(request);
    if (access !== 'read' && access !== 'operate') throw new ForbiddenException('You may not see the dashboard.');
    if (request.method === 'POST') refuseForeignAction(request, access);
    const owner: unknown = await ownerOf(request);
    // The application forgot a case. That must not show the jobs of all owners.
    if (typeof owner !== 'string' && owner !== null) throw new ForbiddenException('You may not see the dashboard.');
    VISITORS.set(request, { access, owner });
    return true;
  }
}

export function visitorOf(request: object): Visitor {
  return VISITORS.get(request) ?? { access: 'none', owner: null };
}

/** For the log and for who paused a queue: what the application's guard left in `request.user`. */
export function actorOf(request: object): string | null {
  const { user } = request as Request;
  if (typeof user === 'string') return user.slice(0, 200);
  const { username, email, sub, id } = (user ?? {}) as Record<string, unknown>;
  const name = [username, email, sub, id].find((value) => typeof value === 'string' || typeof value === 'number');
  return name === undefined ? null : String(name).slice(0, 200);
}

/** The application may let other sites read its own routes (CORS), but not these. A link to the page may be anywhere. */
function refuseForeignRead({ headers }: Request): void {
  const isForeign = headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site';
  if (isForeign && headers['sec-fetch-mode'] !== 'navigate') {
    throw new ForbiddenException('The request came from another site.');
  }
}

function refuseForeignAction({ headers }: Request, access: DashboardAccess): void {
  if (access !== 'operate') throw new ForbiddenException('You may read the dashboard, but not act on jobs.');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw new ForbiddenException('The action came from another site.');
  if (headers[ACTION_HEADER] !== '1') throw new ForbiddenException(`The header ${ACTION_HEADER} is missing.`);
  if (!String(headers['content-type']).startsWith('application/json')) {
    throw new BadRequestException('The action is not JSON.');
  }
}
