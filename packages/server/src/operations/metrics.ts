/** What the server measures, for Prometheus. */
import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";

import type { EmbeddedStore } from "@sennit/core";
import type { Views } from "@sennit/projections";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Counter, Gauge, Registry } from "prom-client";

import type { Streams } from "../live/streams.ts";
import type { Subscriptions } from "../subscriptions/subscriptions.ts";
import { Distribution, type Series } from "./distribution.ts";
import type { Readiness } from "./readiness.ts";

interface Measured {
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly streams: Streams;
  readonly subscriptions: Subscriptions;
  readonly readiness: Readiness;
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384];

/** The label of what no route is for: paths as they were asked would be without number. */
const unmatched = "unmatched";

export class Metrics {
  readonly #registry = new Registry();
  readonly #distributions: Distribution[] = [];
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  readonly #stopListening: () => void;

  constructor(measured: Measured) {
    this.#delay.enable();
    this.#stopListening = this.#watchWrites(measured.store);
    this.#watchStore(measured);
    this.#watchProcess();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of them as text. */
  async text(): Promise<string> {
    const others = await this.#registry.metrics();
    return others + this.#distributions.map((distribution) => distribution.text()).join("\n");
  }

  /** Measures the requests of an instance. To be called before its routes are declared. */
  watch(app: FastifyInstance): void {
    const duration = this.#distribution(
      "sennit_http_request_seconds",
      "Requests, from their headers to the end of their answer",
      seconds,
    );
    // Each route keeps its own series, as looking them up by their labels is dearer than counting.
    app.addHook("onRoute", (route) => {
      const observe = observerOf(duration, route.url);
      route.onResponse = [route.onResponse ?? []].flat().concat((request, reply, done) => {
        observe(request, reply);
        done();
      });
    });
    const observeUnmatched = observerOf(duration, unmatched);
    app.addHook("onResponse", (request, reply, done) => {
      if (request.is404) observeUnmatched(request, reply);
      done();
    });
  }

  close(): void {
    this.#stopListening();
    this.#delay.disable();
  }

  #watchWrites(store: EmbeddedStore): () => void {
    const histogram = (name: string, help: string, bounds: readonly number[]) =>
      this.#distribution(name, help, bounds).series("");
    const append = histogram(
      "sennit_append_seconds",
      "Appends, from when a batch is decided until it is durable",
      seconds,
    );
    const write = histogram("sennit_write_seconds", "Writes to the disk, synced", seconds);
    const groupBatches = histogram("sennit_group_batches", "Batches in one write", counts);
    const groupEvents = histogram("sennit_group_events", "Events in one write", counts);
    const events = new Counter({
      name: "sennit_events_appended_total",
      help: "Events made durable since the server started",
      registers: [this.#registry],
    });
    return store.log.onHead((group) => {
      if (group === undefined) return;
      for (const waitMs of group.waitsMs) append.observe(waitMs / 1000);
      write.observe(group.writeMs / 1000);
      groupBatches.observe(group.batches);
      groupEvents.observe(group.events);
      events.inc(group.events);
    });
  }

  #watchStore({ store, views, streams, subscriptions, readiness }: Measured): void {
    this.#gauge("sennit_head", "Position of the last durable event", () => store.head);
    this.#gauge("sennit_streams", "Streams that are open", () => streams.count);
    this.#gauge("sennit_subscriptions", "Durable subscriptions", () => subscriptions.count);
    this.#gauge("sennit_followers", "Readers that wait for the log to grow", () => {
      return store.log.headSignal.listeners;
    });
    this.#gauge("sennit_ready", "1 when the server is ready, else 0", async () =>
      (await readiness.report()).ready ? 1 : 0,
    );
    const lag = new Gauge({
      name: "sennit_projection_lag_events",
      help: "Events that a read model has not applied yet",
      labelNames: ["projection"],
      registers: [this.#registry],
      collect: () => {
        for (const name of views.names) lag.set({ projection: name }, views.progress(name).lag);
      },
    });
  }

  #watchProcess(): void {
    const delay = new Gauge({
      name: "sennit_event_loop_delay_seconds",
      help: "How late the event loop was since the last time this was asked",
      labelNames: ["quantile"],
      registers: [this.#registry],
      collect: () => {
        for (const quantile of [50, 90, 99]) {
          const value = this.#delay.count === 0 ? 0 : this.#delay.percentile(quantile) / 1e9;
          delay.set({ quantile: String(quantile / 100) }, value);
        }
        delay.set({ quantile: "1" }, this.#delay.count === 0 ? 0 : this.#delay.max / 1e9);
        this.#delay.reset();
      },
    });
    this.#gauge("process_resident_memory_bytes", "Memory of the process", () => {
      return process.memoryUsage.rss();
    });
    this.#gauge("process_cpu_seconds_total", "Processor time of the process", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
    this.#gauge("process_start_time_seconds", "When the process started, since 1970", () => {
      return performance.timeOrigin / 1000;
    });
  }

  #distribution(name: string, help: string, bounds: readonly number[]): Distribution {
    const distribution = new Distribution(name, help, bounds);
    this.#distributions.push(distribution);
    return distribution;
  }

  #gauge(name: string, help: string, value: () => number | Promise<number>): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: async () => gauge.set(await value()),
    });
  }
}

/** Counts the answers of one route. */
function observerOf(
  duration: Distribution,
  route: string,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const byStatus = new Map<number, Map<string, Series>>();
  return ({ method }, { statusCode: status, elapsedTime: ms }) => {
    let byMethod = byStatus.get(status);
    if (byMethod === undefined) byStatus.set(status, (byMethod = new Map<string, Series>()));
    let series = byMethod.get(method);
    if (series === undefined) {
      series = duration.series(`method="${method}",route="${route}",status="${status}"`);
      byMethod.set(method, series);
    }
    series.observe(ms / 1000);
  };
}
