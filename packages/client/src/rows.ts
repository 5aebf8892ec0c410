/** Reads lists of any length row by row, and goes on where a connection broke off. */
import { jsonLinesOf } from "./lines.ts";
import type { Query } from "./parameters.ts";
import { backOffMs } from "./retry.ts";
import { positionHeader, type Ask, type Transport } from "./transport.ts";

/** How what is missing of a list is asked for: with other parameters, or by leaving out rows from its beginning. */
interface Rest {
  readonly query?: Query;
  readonly skip?: number;
}

interface RowsAsk<Row> extends Ask {
  /** The parameter that names the instant. What is asked of the present is taken up as of the position it began with. */
  readonly instant: string;
  /** Default: the rows delivered are left out. */
  readonly rest?: (last: Row, delivered: number) => Rest;
}

function withoutDelivered(_last: unknown, delivered: number): Rest {
  return { skip: delivered };
}

/** @throws what the server tells, `server-unreachable`, `aborted` */
export async function* rowsOf<Row>(transport: Transport, ask: RowsAsk<Row>): AsyncGenerator<Row> {
  const { instant, rest = withoutDelivered, ...plain } = ask;
  let query: Query = ask.query ?? {};
  let delivered = 0;
  let failures = 0;
  let skip = 0;
  let last: Row | undefined;
  for (;;) {
    const headers = { accept: "application/x-ndjson" };
    const answer = await transport.open({ ...plain, query, headers });
    if (query[instant] === undefined) {
      query = { ...query, [instant]: answer.headers.get(positionHeader) ?? undefined };
    }
    try {
      for await (const row of jsonLinesOf<Row>(answer.body)) {
        if (skip > 0) {
          skip -= 1;
          continue;
        }
        failures = 0;
        last = row;
        delivered += 1;
        yield row;
      }
      return;
    } catch (error) {
      const failure = transport.failure(error, answer.signal);
      failures += 1;
      if (failure.code !== "server-unreachable" || failures >= transport.retry.attempts)
        throw failure;
    } finally {
      answer.release();
    }
    await transport.pause(backOffMs(transport.retry, failures), ask.signal);
    if (last === undefined) continue;
    const missing = rest(last, delivered);
    query = { ...query, ...missing.query };
    skip = missing.skip ?? 0;
  }
}
