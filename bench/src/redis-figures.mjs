/** The commands that clients send. All others in `commandstats` are called by scripts, whose time includes them. */
const SENT = ['evalsha', 'eval', 'fcall', 'bzpopmin'];

/** The bytes of data, without the buffers of connections. */
export async function dataBytes(redis) {
  const info = await infoOf(redis, 'memory');
  return Number(info.used_memory) - Number(info.mem_clients_normal ?? 0);
}

/** The CPU time of Redis in µs: of its commands since `CONFIG RESETSTAT`, and of its process since its start. */
export async function busyMicros(redis) {
  const stats = await commandStats(redis);
  const cpu = await infoOf(redis, 'cpu');
  return {
    commands: SENT.reduce((sum, name) => sum + (stats[name]?.usec ?? 0), 0),
    process: (Number(cpu.used_cpu_user) + Number(cpu.used_cpu_sys)) * 1_000_000,
  };
}

/** Calls and µs by command. */
export async function commandStats(redis) {
  const info = await infoOf(redis, 'commandstats');
  return Object.fromEntries(
    Object.entries(info).map(([key, text]) => {
      const fields = Object.fromEntries(text.split(',').map((field) => field.split('=')));
      return [key.replace('cmdstat_', ''), { calls: Number(fields.calls), usec: Number(fields.usec) }];
    }),
  );
}

/** Commands that arrive within `ms`, and those that scripts call meanwhile. */
export async function countCommands(redis, ms) {
  const monitor = await redis.monitor();
  const count = { sent: 0, nested: 0, names: {} };
  monitor.on('monitor', (_time, [name], source) => {
    if (source === 'lua') count.nested++;
    else count.sent++;
    const key = source === 'lua' ? `lua ${name.toLowerCase()}` : name.toLowerCase();
    count.names[key] = (count.names[key] ?? 0) + 1;
  });
  await new Promise((resolve) => setTimeout(resolve, ms));
  monitor.disconnect();
  return count;
}

async function infoOf(redis, section) {
  const text = await redis.info(section);
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
