import type { Tracker } from "../api/types";
import * as format from "../lib/format";

/** What a tracker's last window says, as people choose by it. */
export type Group = "all" | "alert" | "macro" | "learning" | "gap";

const GROUPS: readonly [Group, string][] = [
  ["all", "all"],
  ["alert", "with an alert"],
  ["macro", "rise with the platform"],
  ["learning", "learning"],
  ["gap", "no data"],
];

export interface Filter {
  text: string;
  group: Group;
}

export const NO_FILTER: Filter = { text: "", group: "all" };

export function isIn(tracker: Tracker, group: Group): boolean {
  switch (group) {
    case "all":
      return true;
    case "alert":
      return tracker.open_alert !== null || tracker.last?.state === "unusual";
    case "learning":
      return tracker.last === null || tracker.last.state === "learning";
    default:
      return tracker.last?.state === group;
  }
}

export function filtered(trackers: readonly Tracker[], filter: Filter): readonly Tracker[] {
  const wanted = filter.text.trim().toLowerCase();
  if (!wanted && filter.group === "all") return trackers;
  return trackers.filter(
    (tracker) =>
      isIn(tracker, filter.group) &&
      (!wanted || tracker.name.toLowerCase().includes(wanted) || tracker.query.toLowerCase().includes(wanted)),
  );
}

interface TrackerFilterProps {
  trackers: readonly Tracker[];
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** From this many trackers on, one looks for one instead of seeing it. */
export const WORTH_FILTERING = 12;

/** Finds trackers by name or query and by what they say now. */
export function TrackerFilter({ trackers, filter, onChange }: TrackerFilterProps) {
  return (
    <div className="tracker-filter">
      <input
        type="search"
        value={filter.text}
        aria-label="Find a tracker"
        placeholder="Find a tracker by name or query"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
      />
      <div className="switch" role="group" aria-label="Trackers that are">
        {GROUPS.map(([group, name]) => {
          const number = trackers.reduce((sum, tracker) => sum + Number(isIn(tracker, group)), 0);
          if (number === 0 && group !== filter.group) return null;
          return (
            <button
              key={group}
              type="button"
              className="span"
              aria-pressed={group === filter.group}
              onClick={() => onChange({ ...filter, group })}
            >
              {name} <span className="span-count">{format.whole(number)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
