import { type KeyboardEvent, useId, useMemo, useState } from "react";
import { useTrackers } from "../api/queries";
import { tablesShown } from "../lib/keys";
import { exploreAddress } from "../lib/queryState";
import { askForFiles } from "../lib/files";
import { NEW_TRACKER, trackerAddress } from "../lib/places";
import { navigate } from "../lib/router";
import { chooseTheme } from "../lib/theme";
import { Dialog } from "./Dialog";
import { closeOverlay, overlay } from "./overlays";

interface Command {
  id: string;
  says: string;
  note?: string;
  run: () => void;
}

const FIXED: readonly Command[] = [
  { id: "live", says: "Live", note: "g l", run: () => navigate("/") },
  { id: "topics", says: "Topics", note: "g t", run: () => navigate("/topics") },
  { id: "explore", says: "Explore", note: "g e", run: () => navigate("/posts") },
  { id: "data", says: "Data", note: "g d", run: () => navigate("/data") },
  { id: "channels", says: "Channels", note: "g c", run: () => navigate("/channels") },
  { id: "upload", says: "Upload files", note: "u", run: () => askForFiles() },
  { id: "new", says: "New tracker", note: "n", run: () => navigate(NEW_TRACKER) },
  { id: "table", says: "Charts as tables, and back", note: "t", run: () => tablesShown.set(!tablesShown.get()) },
  { id: "light", says: "Theme: light", run: () => chooseTheme("light") },
  { id: "dark", says: "Theme: dark", run: () => chooseTheme("dark") },
  { id: "system", says: "Theme: as the system", run: () => chooseTheme("system") },
  { id: "keys", says: "Keys", note: "?", run: () => overlay.set("keys") },
  { id: "design", says: "Design system", run: () => navigate("/design") },
];

/** As many as a list that one reads may have; typing finds the others. */
const SHOWN = 60;

function useCommands(typed: string): Command[] {
  const trackers = useTrackers().data?.items;
  return useMemo(() => {
    const wanted = typed.trim().toLowerCase();
    const named = (trackers ?? []).map(
      (tracker): Command => ({
        id: `tracker-${tracker.id}`,
        says: tracker.name,
        note: "tracker",
        run: () => navigate(trackerAddress(tracker.id)),
      }),
    );
    const found = [...FIXED, ...named].filter((command) => command.says.toLowerCase().includes(wanted)).slice(0, SHOWN);
    if (!wanted) return found;
    const search: Command = {
      id: "search",
      says: `Posts that say ${typed.trim()}`,
      note: "search",
      run: () => navigate(exploreAddress({ q: typed.trim() })),
    };
    return [...found, search];
  }, [typed, trackers]);
}

/** Everything that can be done, found by typing. */
export function CommandPalette() {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const commands = useCommands(typed);
  const chosen = commands[Math.min(at, commands.length - 1)];

  const run = (command: Command | undefined) => {
    if (!command) return;
    closeOverlay();
    command.run();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((before) => (Math.min(before, commands.length - 1) + step + commands.length) % commands.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(chosen);
    }
  };

  return (
    <Dialog title="Commands" onClose={closeOverlay} bare className="palette">
      <input
        className="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={chosen ? `${list}-${chosen.id}` : undefined}
        aria-label="Command, tracker or words to search"
        placeholder="Command, tracker, or words to search"
        autoFocus
        value={typed}
        onKeyDown={press}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
      />
      <ul id={list} role="listbox" aria-label="Commands" className="palette-list">
        {commands.map((command) => (
          <li
            key={command.id}
            id={`${list}-${command.id}`}
            role="option"
            aria-selected={command === chosen}
            onClick={() => run(command)}
            onMouseMove={() => setAt(commands.indexOf(command))}
          >
            <span className="one-line">{command.says}</span>
            {command.note && <span className="note">{command.note}</span>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
