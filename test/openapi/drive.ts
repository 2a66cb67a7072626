/** What `generated-client/drive.ts` does with a client that is generated from the document of the demo. */
export type Drive = (
  baseUrl: string,
  fetch: (request: Request) => Promise<Response>,
) => {
  /** Submits, and waits for the end by asking for it. */
  processText(data: string): Promise<string | undefined>;
  /** The mean of the first column of integers. Waits with the submission, whose answer knows the type of the result. */
  summarize(csv: string): Promise<number | undefined>;
  /** The same submission twice, the end of the job, and what then becomes of its result. */
  sleepAndCancel(id: string): Promise<string[]>;
  /** The status of a job, or why there is none. */
  ask(id: string): Promise<string>;
  /** Why a request that does not compile is refused. */
  misspell(): Promise<string>;
};
