/** RFC 3339 text to and from microseconds since the Unix epoch. */

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Formats microseconds since the epoch as RFC 3339 in UTC with six digits: `2026-03-02T10:00:00.123456Z`. */
export function formatTimestamp(us: number): string {
  const second = Math.floor(us / 1_000_000);
  // Many events fall into one second, and formatting a date is dear.
  if (second !== formattedSecond) {
    formattedSecond = second;
    formatted = new Date(second * 1000).toISOString().slice(0, -4);
  }
  return `${formatted}${String(us - second * 1_000_000 + 1_000_000).slice(1)}Z`;
}

let formattedSecond = Number.NaN;
let formatted = "";

/**
 * Parses RFC 3339 with a zone; seconds may be left out, digits past the microsecond are cut.
 *
 * @returns microseconds since the epoch, or undefined when the text is no such time.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = "00", fraction = "", zone = "Z"] = match;
  const wallMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  // Date.UTC rolls 30 February over into March, and years 0-99 into the 1900s; both are refused.
  const expected = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString().slice(0, 19) !== expected)
    return undefined;
  const offsetMin = offsetMinutes(zone);
  if (offsetMin === undefined) return undefined;
  const us = Number(fraction.slice(0, 6).padEnd(6, "0"));
  return (wallMs - offsetMin * 60_000) * 1000 + us;
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
