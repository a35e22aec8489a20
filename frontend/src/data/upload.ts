import { Problem, ServerGone } from "../api/client";
import type { Import, ProblemDocument } from "../api/types";
import { createStore } from "../lib/store";

/** A file on its way to the server. It outlives the page that began it, not the tab. */
export interface Upload {
  key: number;
  name: string;
  size: number;
  sent: number;
  error: Error | null;
}

export const uploads = createStore<readonly Upload[]>([]);

/** Files that are sent together; more would only share the same line. */
const TOGETHER = 2;

interface Order {
  upload: Upload;
  file: File;
  done: (one: Import) => void;
}

const waiting: Order[] = [];
const running = new Map<number, XMLHttpRequest>();
let last = 0;

function change(key: number, part: Partial<Upload>): void {
  uploads.set(uploads.get().map((one) => (one.key === key ? { ...one, ...part } : one)));
}

function drop(key: number): void {
  uploads.set(uploads.get().filter((one) => one.key !== key));
}

/** Send files one after the other; `done` is told of each that the server has. */
export function sendFiles(files: Iterable<File>, done: (one: Import) => void, most: number): void {
  for (const file of files) {
    const upload: Upload = { key: ++last, name: file.name, size: file.size, sent: 0, error: null };
    if (file.size > most) upload.error = new Error(`It has ${gigabytes(file.size)}; the page takes ${gigabytes(most)}.`);
    else if (file.size === 0) upload.error = new Error("It is empty, or a folder. Drop files, or an archive of them.");
    else waiting.push({ upload, file, done });
    uploads.set([...uploads.get(), upload]);
  }
  next();
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** Stop sending a file, or take one that failed off the list. */
export function stopUpload(key: number): void {
  const at = waiting.findIndex((order) => order.upload.key === key);
  if (at >= 0) waiting.splice(at, 1);
  running.get(key)?.abort();
  drop(key);
}

function next(): void {
  while (running.size < TOGETHER) {
    const order = waiting.shift();
    if (!order) break;
    begin(order);
  }
  guard();
}

function begin({ upload, file, done }: Order): void {
  // `fetch` does not tell how much has been sent.
  const request = new XMLHttpRequest();
  running.set(upload.key, request);
  request.open("POST", `/api/v1/imports?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.setRequestHeader("accept", "application/json");
  request.upload.onprogress = (event) => change(upload.key, { sent: event.loaded });
  request.onload = () => {
    const body = parsed(request.responseText);
    if (request.status === 201) {
      drop(upload.key);
      done(body as Import);
    } else {
      change(upload.key, { error: new Problem((body ?? {}) as Partial<ProblemDocument>, request.status) });
    }
  };
  request.onerror = () => change(upload.key, { error: new ServerGone() });
  request.onloadend = () => {
    running.delete(upload.key);
    next();
  };
  request.send(file);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** While something is on its way the browser asks before it leaves. */
function guard(): void {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  if (running.size > 0) addEventListener("beforeunload", (listening ??= ask));
  else if (listening) {
    removeEventListener("beforeunload", listening);
    listening = null;
  }
}
let listening: ((event: BeforeUnloadEvent) => void) | null = null;
