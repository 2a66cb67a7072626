import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

const ABOUT = {
  name: 'The Async Endpoints demo',
  description: 'POST requests are answered 202 with a job. A worker runs it, and the status routes follow it.',
  links: { dashboard: '/dashboard', docs: '/docs', openapi: '/docs-json', health: '/health', metrics: '/metrics' },
};

/** The start page of the demo. */
@ApiExcludeController()
@Controller()
export class HomeController {
  @Get()
  @Header('Vary', 'Accept')
  home(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: { type(mediaType: string): unknown },
  ): typeof ABOUT | string {
    if (!accept?.includes('text/html')) return ABOUT;
    reply.type('text/html; charset=utf-8');
    return page();
  }
}

function page(): string {
  const links = Object.entries(ABOUT.links).map(([name, path]) => `<li><a href="${path}">${name}</a></li>`);
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${ABOUT.name}</title>`,
    `<h1>${ABOUT.name}</h1><p>${ABOUT.description}</p><ul>${links.join('')}</ul></html>`,
  ].join('\n');
}
