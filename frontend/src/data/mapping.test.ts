import { expect, it } from "vitest";
import type { Preview } from "../api/types";
import { containerWords, mappingOf, withField } from "./mapping";

const column = (name: string, field: string | null) => ({ column: name, field, filled: 1, unreadable: 0, examples: [] });

it("starts from what was guessed and keeps what was taken away", () => {
  const preview = { columns: [column("body", "text"), column("mood", null)] };
  expect(mappingOf(preview, { map: { likes: "", text: "body" } })).toEqual({ likes: "", text: "body" });
});

it("moves a field to another column", () => {
  expect(withField({ text: "title", likes: "n" }, "body", "text")).toEqual({ text: "body", likes: "n" });
});

it("makes a column another field, and does not guess it again", () => {
  expect(withField({ text: "title" }, "title", "author_name")).toEqual({ text: "", author_name: "title" });
});

it("takes a column away", () => {
  expect(withField({ text: "title", likes: "n" }, "n", "")).toEqual({ text: "title", likes: "" });
});

it("says what a file is", () => {
  const words = (container: Preview["container"]) => containerWords({ container });
  expect(words({ form: "table", compression: "gzip", encoding: "cp1252", delimiter: ";" })).toBe(
    "A table (semicolon, cp1252), packed with gzip",
  );
  expect(words({ form: "ndjson", compression: null, encoding: "utf-8", delimiter: null })).toBe("JSON, one record a line");
});
