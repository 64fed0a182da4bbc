/** The part of autocannon that the bench uses; the package has no types. */
declare module 'autocannon' {
  type Client = { setRequests(requests: object[]): void };
  type Options = {
    url: string;
    duration: number;
    /** Milliseconds between two looks at the clock. */
    sampleInt: number;
    connections: number;
    setupClient(client: Client): void;
  };
  type Result = {
    '2xx': number;
    non2xx: number;
    errors: number;
    duration: number;
    latency: { p50: number; p99: number };
  };
  export default function autocannon(options: Options): Promise<Result>;
}
