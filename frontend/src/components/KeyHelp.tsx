import { SHORTCUTS } from "../lib/keys";
import { Dialog } from "./Dialog";
import { closeOverlay } from "./overlays";

export function KeyList() {
  return (
    <dl className="keys">
      {SHORTCUTS.map(({ keys, says }) => (
        <div key={keys}>
          <dt>
            {keys.split(" ").map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{says}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Every key of the page. */
export function KeyHelp() {
  return (
    <Dialog title="Keys" onClose={closeOverlay}>
      <KeyList />
    </Dialog>
  );
}
