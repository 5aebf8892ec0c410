/** What the benchmarks use of autocannon, which comes without types. */
declare module "autocannon" {
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Requests of all connections together. */
    readonly amount: number;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    /** Whether `[<id>]` in the body becomes another text in every request. */
    readonly idReplacement: boolean;
    readonly excludeErrorStats: boolean;
    /** Milliseconds between two samples; the end is seen at one of them. */
    readonly sampleInt: number;
  }

  interface Result {
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly timeouts: number;
    readonly "2xx": number;
    readonly non2xx: number;
  }

  function autocannon(options: Options): Promise<Result>;
  export = autocannon;
}
