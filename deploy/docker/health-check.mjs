// The health check of the images: exits with 1 when the process on the port of this container is not alive. It checks liveness and not
// readiness, because unhealthy containers are restarted, and a restart does not repair an unreachable Redis.
const port = process.env.OPERATIONS_PORT || process.env.PORT || '8080';
try {
  const { ok, status } = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(2_500) });
  if (!ok) throw new Error(`/health/live answered ${status}`);
} catch (error) {
  process.stderr.write(`${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
