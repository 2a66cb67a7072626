/** First steps. Every indented line can be pasted into a shell unchanged; the last one needs the one before it. */
export function welcome(url: string): string {
  const json = `-H 'Content-Type: application/json'`;
  return [
    `Watch the jobs in the browser: ${url}/dashboard`,
    `The Async Endpoints demo listens on ${url}`,
    '',
    'Submit a job; the answer is 202, with a Location to follow:',
    `  curl -i ${url}/api/process-data ${json} -d '{"data":"text"}'`,
    '',
    'Submit one that takes 20 seconds, keep its Location, and follow it (again with -X DELETE cancels it):',
    `  location=$(curl -s -o /dev/null -w '%header{location}' ${url}/api/demo/sleep ${json} -d '{"durationMs":20000}')`,
    `  curl -i "${url}$location"`,
    '',
    `Everything else, to read and to try: ${url}/docs`,
    '',
  ].join('\n');
}
