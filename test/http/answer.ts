import type { JobRepresentation, Problem } from 'nestjs-async-endpoints';

/** The response of a server. */
export class Answer {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly text: string,
  ) {}

  static async of(response: Response): Promise<Answer> {
    return new Answer(response.status, response.headers, await response.text());
  }

  get body(): unknown {
    return this.text === '' ? undefined : JSON.parse(this.text);
  }

  get job(): JobRepresentation {
    return this.body as JobRepresentation;
  }

  get problem(): Problem {
    return this.body as Problem;
  }

  header(name: string): string | null {
    return this.headers.get(name);
  }

  /** Status, media type and code in one, for a comparison. */
  get refusal(): { status: number; type: string | undefined; code: string } {
    return { status: this.status, type: this.header('Content-Type')?.split(';')[0], code: this.problem.code };
  }
}

/** What {@link Answer.refusal} is for a problem of this library. */
export function refused(status: number, code: string): Answer['refusal'] {
  return { status, type: 'application/problem+json', code };
}
