import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type ConnectionState, LiveConnection, type Socket, waitBefore } from "./live";
import type { Change } from "./types";

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onclose: Socket["onclose"] = null;
  onmessage: Socket["onmessage"] = null;
  constructor(readonly address: string) {}
  close() {}
  says(seq: number, kind: Change["kind"] = "window") {
    this.onmessage?.({ data: JSON.stringify({ seq, kind, at: "2026-11-20T00:00:00Z", subject: "" }) } as MessageEvent);
  }
}

let sockets: FakeSocket[];
let states: ConnectionState[];
let seen: number[];
let live: LiveConnection;
let stale: number;

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, states, seen] = [[], [], []];
  stale = 0;
  live = new LiveConnection(7, {
    address: (seq) => `after=${seq}`,
    connect: (address) => {
      const socket = new FakeSocket(address);
      sockets.push(socket);
      return socket;
    },
    onChange: (change) => seen.push(change.seq),
    onState: (state) => states.push(state),
    onStale: () => (stale += 1),
    now: () => 0,
  });
  live.start();
});

afterEach(() => {
  live.stop();
  vi.useRealTimers();
});

it("goes on after the last change when the line breaks", () => {
  sockets[0]?.onopen?.({} as Event);
  sockets[0]?.says(8);
  sockets[0]?.says(9);
  sockets[0]?.onclose?.({} as CloseEvent);
  expect(states.at(-1)).toEqual({ kind: "lost", retryAt: 1000, tries: 1 });
  vi.advanceTimersByTime(1000);
  expect(sockets[1]?.address).toBe("after=9");
  sockets[1]?.onopen?.({} as Event);
  expect(states.at(-1)).toMatchObject({ kind: "open", recovered: true });
});

it("shows nothing twice", () => {
  sockets[0]?.says(8);
  sockets[0]?.says(8);
  sockets[0]?.says(5);
  sockets[0]?.says(8, "status");
  expect(seen).toEqual([8, 8]);
});

it("waits longer after each failure, up to a limit", () => {
  expect([1, 2, 3, 4, 5, 9].map(waitBefore)).toEqual([1000, 2000, 4000, 8000, 15000, 15000]);
  sockets[0]?.onclose?.({} as CloseEvent);
  vi.advanceTimersByTime(1000);
  sockets[1]?.onclose?.({} as CloseEvent);
  expect(states.at(-1)).toMatchObject({ kind: "lost", tries: 2, retryAt: 2000 });
  live.retryNow();
  expect(sockets).toHaveLength(3);
});

it("asks for a fresh start where the server cannot go on", () => {
  sockets[0]?.onclose?.({ code: 4009 } as CloseEvent);
  vi.advanceTimersByTime(60_000);
  expect([stale, sockets.length]).toEqual([1, 1]);
});

it("stays silent once stopped", () => {
  live.stop();
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(1);
});
