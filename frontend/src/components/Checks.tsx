import { usePastAlerts } from "../api/queries";
import type { Alert, Alerts, Check } from "../api/types";
import * as format from "../lib/format";

function valueOf(check: Check): string {
  if (check.value === null) return "not known";
  switch (check.unit) {
    case "ratio":
      return format.ratio(check.value);
    case "windows":
      return `${format.whole(check.value)} windows`;
    default:
      return check.name === "coverage" && check.value >= 0.9995 ? "complete" : format.percent(check.value);
  }
}

function toneOf(check: Check): string {
  if (check.value === null) return "muted";
  if (check.name === "coverage" && check.value >= 0.9995) return "good";
  return check.unit === "ratio" ? "strong" : "";
}

/** What this tracker's alerts turned out to be, in words. */
export function pastInWords(alerts: Alerts | undefined, except: string): string {
  if (!alerts) return "…";
  const others = alerts.items.filter((alert) => alert.id !== except);
  if (others.length === 0) return "none";
  const judged = { real: 0, false: 0, known: 0, open: 0 };
  for (const alert of others) judged[alert.verdict ?? "open"] += 1;
  const said: [number, string][] = [
    [judged.real, "real"],
    [judged.false, "false"],
    [judged.known, "known"],
    [judged.open, "not judged"],
  ];
  return said
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(", ");
}

type Remains = NonNullable<Alert["evidence"]["remains"]>[number];

/** What is left when something is taken out, scored again: how many times the usual, and whether that alone would alert. */
function RemainsRow({ remains }: { remains: Remains }) {
  const rare = remains.return_days === null ? "" : `, ${format.rarity(remains.return_days)}`;
  const holds = remains.holds === null ? "" : remains.holds ? "would alert by itself" : "would not alert by itself";
  return (
    <tr title={`${format.expectation(remains.observed)} in the strongest window${rare}`}>
      <th scope="row">
        {remains.label}
        {holds && <span className="note check-note">{holds}</span>}
      </th>
      <td className={`number ${remains.holds === false ? "muted" : "strong"}`}>{format.ratio(remains.ratio)}</td>
    </tr>
  );
}

/** Checks that `remains` says better. */
const REMAINS = new Set(["without_top_author", "copies_once"]);

/** What would make the sentence untrue, each with its figure. */
export function Checks({ alert, past: withPast = true }: { alert: Alert; past?: boolean }) {
  const past = usePastAlerts(withPast ? alert.tracker : undefined).data;
  const remains = (alert.evidence.remains ?? []).filter((each) => each.name !== "all");
  const checks = alert.evidence.checks.filter((check) => remains.length === 0 || !REMAINS.has(check.name));
  return (
    <table className="table checks">
      <tbody>
        {remains.map((each) => (
          <RemainsRow key={each.name} remains={each} />
        ))}
        {checks.map((check) => (
          <tr key={check.name} title={check.note ?? undefined}>
            <th scope="row">
              {check.label}
              {check.note && <span className="note check-note">{check.note}</span>}
            </th>
            <td className={`number ${toneOf(check)}`}>{valueOf(check)}</td>
          </tr>
        ))}
        {withPast && (
          <tr>
            <th scope="row">This tracker's past alerts</th>
            <td className="number">{pastInWords(past, alert.id)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
