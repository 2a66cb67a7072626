// The image's health check: exits with 1 where the process on this container's port does not answer that it is alive.
// Liveness and not readiness, because what is unhealthy is restarted, and a restart does not mend a Redis that is away.
const port = process.env.OPERATIONS_PORT || process.env.PORT || '8080';
try {
  const { ok, status } = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(2_500) });
  if (!ok) throw new Error(`/health/live answered ${status}`);
} catch (error) {
  process.stderr.write(`${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
