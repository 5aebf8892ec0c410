/** What every route works with, made for one store. */
import type { EmbeddedStore } from "@sennit/core";
import type { Views } from "@sennit/projections";

import { Intake } from "./body/intake.ts";
import type { Settings } from "./config/settings.ts";
import { Streams } from "./live/streams.ts";
import { Metrics } from "./operations/metrics.ts";
import { Readiness } from "./operations/readiness.ts";
import type { Services } from "./route.ts";
import { Subscriptions } from "./subscriptions/subscriptions.ts";

/** The services of a server. */
export async function openServices(
  store: EmbeddedStore,
  views: Views,
  settings: Settings,
): Promise<Services> {
  const { bodiesBytesMax: bytesMax, ingestStreamsMax: streamsMax } = settings;
  const intake = new Intake({ bytesMax, streamsMax });
  const streams = new Streams(settings.streamsMax);
  const subscriptions = await Subscriptions.open(store, settings.subscriptionsMax);
  const readiness = new Readiness({ store, views, settings });
  const metrics = new Metrics({ store, views, streams, subscriptions, readiness });
  return { store, views, settings, intake, streams, subscriptions, readiness, metrics };
}
