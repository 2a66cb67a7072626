import { AsyncHandler, defineJob, type JobContext, Recurring } from 'nestjs-async-endpoints';

export const NightlyReport = defineJob<{ full: boolean }, string>('NightlyReport');

@AsyncHandler(NightlyReport)
@Recurring('nightly-report', { cron: '0 3 * * *', timeZone: 'Europe/Zurich', payload: { full: true } })
export class NightlyReportHandler {
  handle({ full }: { full: boolean }, { schedule }: JobContext): string {
    const of = schedule?.at.toISOString() ?? 'no schedule';
    return `${full ? 'full' : 'short'} report of ${of}`;
  }
}
