/** A line of the log as text for people, made from its JSON. */

/** `TIME LEVEL MESSAGE key=value …`. Values are JSON, so what a caller sent cannot begin a line of its own. */
export function textLine(json: string): string {
  const { time, level, msg, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const members = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const message = JSON.stringify(msg ?? "").slice(1, -1);
  return `${[time, String(level).toUpperCase(), message, ...members].join(" ")}\n`;
}
