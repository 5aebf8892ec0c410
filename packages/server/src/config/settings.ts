/** The table of settings: every one with its default, its range and what it means. */
import { isLoopback } from "../access/loopback.ts";
import { tokenAlgorithms } from "../tokens/algorithms.ts";
import {
  choiceSetting,
  listSetting,
  numberSetting,
  switchSetting,
  textSetting,
  type Setting,
} from "./setting.ts";

/** What the server can be told. `docs/reference/configuration.md` is made from the table below. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly auth: AuthMode;
  readonly tokenIssuer: string | undefined;
  readonly tokenAudience: string | undefined;
  readonly tokenKeys: string | undefined;
  readonly tokenAlgorithms: readonly string[];
  readonly tokenScopePrefix: string;
  readonly tokenActorClaim: string;
  readonly tokenClockSeconds: number;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly noRequestLog: boolean;
  readonly corsOrigins: readonly string[];
  readonly bodyBytesMax: number;
  readonly bodiesBytesMax: number;
  readonly ingestStreamsMax: number;
  readonly headerBytesMax: number;
  readonly connectionsMax: number;
  readonly readsPerSecondMax: number;
  readonly writesPerSecondMax: number;
  readonly refusalsPerMinuteMax: number;
  readonly headersSeconds: number;
  readonly idleSeconds: number;
  readonly minPositionSeconds: number;
  readonly shutdownSeconds: number;
  readonly readyLagMax: number;
  readonly heartbeatSeconds: number;
  readonly streamsMax: number;
  readonly subscriptionsMax: number;
  readonly streamBufferBytes: number;
  readonly streamStallSeconds: number;
  readonly streamRetrySeconds: number;
}

const authModes = ["auto", "on", "off"] as const;
/** Whether a request needs a credential. `auto`: as soon as the store has keys. */
export type AuthMode = (typeof authModes)[number];

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
const logFormats = ["json", "text"] as const;
export type LogFormat = (typeof logFormats)[number];

const mebibyte = 1024 * 1024;
const day = 24 * 60 * 60;

/** Some settings, as a program gives them. */
export type SomeSettings = { readonly [Name in keyof Settings]?: Settings[Name] | undefined };

/** Every setting by its name, in the order of the documentation. Flag, variable and file key follow from the name. */
export const settingTable: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  host: textSetting(
    { default: "127.0.0.1", description: "The address to listen at." },
    "a host name or an address",
  ),
  port: numberSetting(
    { default: 4600, description: "The port to listen at; 0 takes a free one." },
    { min: 0, max: 65_535 },
  ),
  auth: choiceSetting(
    {
      default: "auto",
      description:
        "Whether requests need a credential; `auto`: as soon as the store has keys or tokens are taken, and everywhere but on loopback.",
    },
    authModes,
  ),
  tokenIssuer: textSetting(
    { default: undefined, description: "Who makes the JSON Web Tokens that are taken: `iss`." },
    "a name, most often a URL",
  ),
  tokenAudience: textSetting(
    { default: undefined, description: "Whom they must be made for: `aud`." },
    "a name, most often the URL of this server",
  ),
  tokenKeys: textSetting(
    { default: undefined, description: "Where the issuer's public keys are: a JSON Web Key Set." },
    "the path of a file or a URL with https; http on loopback only",
    isKeysPlace,
  ),
  tokenAlgorithms: listSetting(
    { default: ["RS256", "PS256", "ES256", "EdDSA"], description: "How tokens may be signed." },
    `some of ${tokenAlgorithms.join(", ")}`,
    (text) => tokenAlgorithms.some((algorithm) => algorithm === text),
  ),
  tokenScopePrefix: textSetting(
    {
      default: "sennit:",
      description: "What stands before the name of a scope in a token: `sennit:read`.",
    },
    "text",
  ),
  tokenActorClaim: textSetting(
    { default: "sub", description: "The claim of a token that is the actor." },
    "the name of a claim",
  ),
  tokenClockSeconds: numberSetting(
    { default: 5, description: "The clocks of the issuer and the server may be so far apart." },
    { unit: "seconds", min: 0, max: 300 },
  ),
  tlsCert: textSetting(
    { default: undefined, description: "The certificate, and those between it and the root." },
    "the path of a PEM file",
  ),
  tlsKey: textSetting(
    { default: undefined, description: "The private key of the certificate." },
    "the path of a PEM file",
  ),
  logLevel: choiceSetting(
    { default: "info", description: "The least severity that is logged." },
    logLevels,
  ),
  logFormat: choiceSetting(
    {
      default: "json",
      description: "How a line of the log is written; `sennit serve` on a terminal: `text`.",
    },
    logFormats,
  ),
  noRequestLog: switchSetting("No line is logged for a request that was answered."),
  corsOrigins: listSetting(
    { default: [], description: "Pages of these origins may call from a browser." },
    "origins such as https://example.org",
    isOrigin,
  ),
  bodyBytesMax: numberSetting(
    {
      default: 64 * mebibyte,
      description: "A body that is taken as a whole may be this large; NDJSON has no limit.",
    },
    { unit: "bytes", min: 1024, max: 1024 * mebibyte },
  ),
  bodiesBytesMax: numberSetting(
    {
      default: 256 * mebibyte,
      description: "All bodies in memory together may be this large; others are to be sent later.",
    },
    { unit: "bytes", min: 1024, max: 1024 * 1024 * mebibyte },
  ),
  ingestStreamsMax: numberSetting(
    { default: 64, description: "Streams of NDJSON that are stored at a time." },
    { min: 1, max: 100_000 },
  ),
  headerBytesMax: numberSetting(
    { default: 16_384, description: "All headers of a request together may be this large." },
    { unit: "bytes", min: 1024, max: mebibyte },
  ),
  connectionsMax: numberSetting(
    { default: 4096, description: "Connections at a time; others are closed at once." },
    { min: 1, max: 1_000_000 },
  ),
  readsPerSecondMax: numberSetting(
    {
      default: 1000,
      description: "Questions that one credential may ask in the long run; 0 for any number.",
    },
    { unit: "requests a second", min: 0, max: 1_000_000, fractions: true },
  ),
  writesPerSecondMax: numberSetting(
    {
      default: 1000,
      description:
        "Requests that write which one credential may send in the long run; 0 for any number.",
    },
    { unit: "requests a second", min: 0, max: 1_000_000, fractions: true },
  ),
  refusalsPerMinuteMax: numberSetting(
    {
      default: 120,
      description:
        "Requests without a credential that counts which one address is told so of; others are told to wait. 0 for any number.",
    },
    { unit: "requests a minute", min: 0, max: 1_000_000 },
  ),
  headersSeconds: numberSetting(
    { default: 20, description: "A request's headers have arrived by then, or it is refused." },
    { unit: "seconds", min: 0.1, max: 3600, fractions: true },
  ),
  idleSeconds: numberSetting(
    {
      default: 120,
      description: "A connection on which nothing has moved for so long is closed.",
    },
    { unit: "seconds", min: 1, max: day, fractions: true },
  ),
  minPositionSeconds: numberSetting(
    {
      default: 5,
      description: "A request waits this long for the position that Sennit-Min-Position names.",
    },
    { unit: "seconds", min: 0, max: 3600, fractions: true },
  ),
  shutdownSeconds: numberSetting(
    {
      default: 30,
      description: "When the server stops, requests that take longer than that are broken off.",
    },
    { unit: "seconds", min: 0.01, max: 3600, fractions: true },
  ),
  readyLagMax: numberSetting(
    {
      default: 10_000,
      description: "With a read model so far behind the log, the server says that it is not ready.",
    },
    { unit: "events", min: 0, max: 1_000_000_000 },
  ),
  heartbeatSeconds: numberSetting(
    { default: 15, description: "A stream is sent a sign of life this often." },
    { unit: "seconds", min: 0.01, max: 30, fractions: true },
  ),
  streamsMax: numberSetting(
    { default: 1000, description: "Streams at a time; for others there is 503." },
    { min: 0, max: 1_000_000 },
  ),
  subscriptionsMax: numberSetting(
    { default: 1000, description: "Durable subscriptions that there may be." },
    { min: 0, max: 100_000 },
  ),
  streamBufferBytes: numberSetting(
    {
      default: mebibyte,
      description: "What waits for the reader of a stream to take it, beside one message.",
    },
    { unit: "bytes", min: 0, max: 1024 * mebibyte },
  ),
  streamStallSeconds: numberSetting(
    {
      default: 30,
      description: "A reader of a stream for whom more has been waiting for so long is cut off.",
    },
    { unit: "seconds", min: 0.01, max: day, fractions: true },
  ),
  streamRetrySeconds: numberSetting(
    { default: 2, description: "When a reader whose stream has ended is to come back." },
    { unit: "seconds", min: 0, max: 3600, fractions: true },
  ),
};

export const settingNames: readonly (keyof Settings)[] = Object.keys(
  settingTable,
) as (keyof Settings)[];

function isKeysPlace(text: string): boolean {
  if (!/^https?:/i.test(text)) return true;
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || isLoopback(hostname);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** The flag of a setting: `--tls-cert`; of a switch that is on by default, the one that turns it off: `--no-log-requests`. */
export function flagOf(name: keyof Settings): string {
  const { kind, default: usual } = settingTable[name];
  return `--${kind === "switch" && usual === true ? "no-" : ""}${kebab(name)}`;
}

/** The environment variable of a setting: `SENNIT_TLS_CERT`. */
export function variableOf(name: keyof Settings): string {
  return `SENNIT_${kebab(name).replaceAll("-", "_").toUpperCase()}`;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
