import type { Change } from "./types";

/** How the page stands with the server. `retryAt` is in milliseconds of the local clock. */
export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "open"; since: number; recovered: boolean }
  | { kind: "lost"; retryAt: number; tries: number };

/** What the connection needs of a WebSocket, so that tests bring their own. */
export interface Socket {
  close(): void;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
}

export interface LiveOptions {
  address: (seq: number) => string;
  connect: (address: string) => Socket;
  onChange: (change: Change) => void;
  onState: (state: ConnectionState) => void;
  /** The server cannot go on from the last change (too long ago, or another home): load everything anew. */
  onStale: () => void;
  now?: () => number;
}

/** The server's close code for a number that it cannot continue from. */
export const CANNOT_RESUME = 4009;
export const FIRST_WAIT_MS = 1_000;
export const LONGEST_WAIT_MS = 15_000;

/** Wait before try number `tries` (from 1): doubles up to the longest. */
export function waitBefore(tries: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1));
}

/**
 * The page's line to the server: every change after a number, then each as it happens. After a break it goes on
 * after the last change that it saw, so nothing is missed and nothing comes twice.
 */
export class LiveConnection {
  private seq: number;
  private tries = 0;
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;

  constructor(
    after: number,
    private readonly options: LiveOptions,
  ) {
    this.seq = after;
  }

  /** Number of the last change that arrived. */
  get last(): number {
    return this.seq;
  }

  start(): void {
    this.stopped = false;
    this.open();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    this.drop();
  }

  /** Do not wait any longer: somebody pressed "try now" or the computer woke up. */
  retryNow(): void {
    if (this.stopped || this.socket) return;
    if (this.timer) clearTimeout(this.timer);
    this.open();
  }

  private open(): void {
    if (this.tries === 0) this.options.onState({ kind: "connecting" });
    const socket = this.options.connect(this.options.address(this.seq));
    this.socket = socket;
    socket.onopen = () => {
      const recovered = this.tries > 0;
      this.tries = 0;
      this.options.onState({ kind: "open", since: this.now(), recovered });
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = (event) => {
      this.drop();
      if (this.stopped) return;
      if (event.code === CANNOT_RESUME) {
        this.stop();
        this.options.onStale();
      } else {
        this.wait();
      }
    };
  }

  private take(text: string): void {
    const change = JSON.parse(text) as Change;
    // A status that is only news of the moment may carry the number of the change before it.
    if (change.seq < this.seq || (change.seq === this.seq && change.kind !== "status")) return;
    this.seq = change.seq;
    this.options.onChange(change);
  }

  private wait(): void {
    this.tries += 1;
    const wait = waitBefore(this.tries);
    this.options.onState({ kind: "lost", retryAt: this.now() + wait, tries: this.tries });
    this.timer = setTimeout(() => this.open(), wait);
  }

  private drop(): void {
    if (!this.socket) return;
    const socket = this.socket;
    this.socket = null;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}
