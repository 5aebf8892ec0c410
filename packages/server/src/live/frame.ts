/** One message of a stream of Server-Sent Events, as text. */
import type { Position } from "@sennit/core";

export interface Frame {
  /** The position to resume after; undefined when there is none to resume from yet. */
  readonly id?: Position | undefined;
  /** A word of this server's: it names what the data is. */
  readonly event: string;
  readonly data: unknown;
}

/** A message. The data is JSON, whose text has no line breaks, so nothing stored can end a message or begin another. */
export function formatFrame({ id, event, data }: Frame): string {
  return `${idLine(id)}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Keeps the connection alive and tells nobody anything, but from where to resume. */
export function formatHeartbeat(id: Position | undefined): string {
  return `: heartbeat\n${idLine(id)}\n`;
}

function idLine(id: Position | undefined): string {
  return id === undefined ? "" : `id: ${id}\n`;
}
