// Draws the OpenAPI document of this server. No library, no request to another machine.

/** An element with attributes and children; text is always text, never markup. */
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Text with its `code` drawn as such. */
function marked(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? el("code", {}, part) : part));
}

/** Paragraphs: a line break is a space, an empty line ends one. */
function prose(text, className) {
  return (text ?? "").trim().split(/\n\s*\n/).map((part) => el("p", { class: className }, marked(part.replaceAll("\n", " "))));
}

const slug = (operation) => operation.operationId;
const nameOf = (schema) => schema?.$ref?.split("/").at(-1);

/** A schema in one line: `integer or null`, `array of Window`. */
function typeOf(schema) {
  if (!schema || Object.keys(schema).length === 0) return ["anything"];
  const name = nameOf(schema);
  if (name) return [el("a", { href: `#schema-${name}` }, name)];
  if (schema.anyOf ?? schema.oneOf) return joined((schema.anyOf ?? schema.oneOf).map(typeOf), " or ");
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.type === "array") return ["array of ", ...typeOf(schema.items)];
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return ["object of ", ...typeOf(schema.additionalProperties)];
  }
  return [schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? "anything")];
}

function joined(lists, between) {
  return lists.flatMap((list, index) => (index ? [between, ...list] : list));
}

/** The limits of a schema in words. */
function limitsOf(schema) {
  const all = [schema, ...(schema.anyOf ?? [])];
  const words = { minimum: "at least", maximum: "at most", exclusiveMinimum: "above", maxLength: "characters at most", pattern: "pattern" };
  return Object.entries(words).flatMap(([key, word]) => all.filter((one) => one[key] !== undefined).map((one) => `${word} ${one[key]}`));
}

function table(head, rows) {
  return el("table", {}, el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, cell)))), el("tbody", {}, rows));
}

function propertiesOf(schema) {
  const required = new Set(schema.required ?? []);
  return table(["field", "type", "meaning"], Object.entries(schema.properties ?? {}).map(([name, field]) =>
    el("tr", {}, el("td", {}, name), el("td", {}, typeOf(field)),
      el("td", { class: "muted" }, [field.description ?? "", required.has(name) ? "" : " optional"].join("").trim()))));
}

function exampleOf(content, schemas) {
  const example = content.example ?? schemas[nameOf(content.schema)]?.examples?.[0];
  if (example === undefined) return null;
  return el("details", {}, el("summary", {}, "Example"),
    el("pre", { tabindex: "0" }, typeof example === "string" ? example : JSON.stringify(example, null, 2)));
}

function bodiesOf(title, contents, schemas) {
  return Object.entries(contents ?? {}).map(([kind, content]) =>
    el("div", {}, el("h4", {}, title, " ", kind), el("div", {}, typeOf(content.schema ?? content.itemSchema)), exampleOf(content, schemas)));
}

/** A form that sends a GET request and shows the answer. */
function trial(path, operation) {
  const fields = (operation.parameters ?? []).filter((one) => one.in !== "header");
  const inputs = fields.map((one) => el("input", { name: one.name, placeholder: String(one.schema.default ?? "") }));
  const shown = el("pre", { hidden: "", tabindex: "0", "aria-live": "polite" });
  const send = async (event) => {
    event.preventDefault();
    let address = path;
    const query = new URLSearchParams();
    fields.forEach((one, index) => {
      const value = inputs[index].value;
      if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(value));
      else if (value !== "") query.append(one.name, value);
    });
    const asked = query.size ? `${address}?${query}` : address;
    shown.hidden = false;
    try {
      const answer = await fetch(asked);
      const text = await answer.text();
      let body = text;
      try { body = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it came */ }
      shown.textContent = `GET ${asked}\n${answer.status} ${answer.statusText}\n\n${body}`;
    } catch (error) {
      shown.textContent = `GET ${asked}\nthe server does not answer (${error.message})`;
    }
  };
  return el("details", {}, el("summary", {}, "Try it"),
    el("form", { onsubmit: send }, fields.map((one, index) => el("label", {}, one.name, inputs[index])), el("button", {}, "Send")), shown);
}

function operationCard(path, method, operation, schemas) {
  const parameters = operation.parameters ?? [];
  const streams = Object.values(operation.responses).some((answer) => "text/event-stream" in (answer.content ?? {}));
  return el("article", { id: slug(operation) },
    el("header", {}, el("span", { class: "method" }, method.toUpperCase()), el("h3", { class: "path" }, path)),
    prose(operation.description),
    parameters.length === 0 ? null : el("h4", {}, "Parameters"),
    parameters.length === 0 ? null : table(["name", "type", "meaning"], parameters.map((one) => el("tr", {},
      el("td", {}, one.name), el("td", {}, typeOf(one.schema)),
      el("td", { class: "muted" }, marked([(one.description ?? "").replace(/\.$/, ""), one.required ? "required" : "",
        one.schema.default === undefined || one.schema.default === "" ? "" : `default ${one.schema.default}`, ...limitsOf(one.schema)].filter(Boolean).join("; ")))))),
    bodiesOf("Request", operation.requestBody?.content, schemas),
    Object.entries(operation.responses).filter(([status]) => status !== "default").flatMap(([status, answer]) =>
      answer.content ? bodiesOf(`Answer ${status}`, answer.content, schemas) : el("h4", {}, `Answer ${status}, empty`)),
    method === "get" && !streams ? trial(path, operation) : null);
}

function draw(api) {
  const schemas = api.components.schemas;
  const contents = document.getElementById("contents");
  const main = document.getElementById("main");
  main.replaceChildren(el("h1", {}, `${api.info.title} REST API ${api.info.version}`), ...prose(api.info.description),
    el("p", {}, el("a", { href: "/api/v1/openapi.json" }, "openapi.json")));
  for (const tag of api.tags) {
    contents.append(el("h2", {}, tag.name));
    main.append(el("h2", {}, tag.name), ...prose(tag.description, "muted"));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags.includes(tag.name)) continue;
        main.append(operationCard(path, method, operation, schemas));
        contents.append(el("a", { href: `#${slug(operation)}` }, operation.summary));
      }
    }
  }
  main.append(el("h2", {}, "Documents"));
  contents.append(el("h2", {}, "Documents"));
  for (const [name, schema] of Object.entries(schemas)) {
    main.append(el("article", { id: `schema-${name}` }, el("h3", {}, name), prose(schema.description), propertiesOf(schema)));
    contents.append(el("a", { href: `#schema-${name}` }, name));
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

try {
  const answer = await fetch("/api/v1/openapi.json");
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  draw(await answer.json());
} catch (error) {
  document.getElementById("main").replaceChildren(el("p", { role: "alert" }, `The API document cannot be loaded: ${error.message}`));
}
