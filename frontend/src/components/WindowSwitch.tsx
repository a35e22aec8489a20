import { useStatus } from "../api/queries";
import * as format from "../lib/format";
import { useStore } from "../lib/store";
import { chosenSize, shownSize, sizesOf } from "../lib/windowSize";

/** The size of window that the page shows: chosen once for all of its charts. */
export function useWindowSize(): { windowS: number; mainS: number; sizes: number[] } {
  const status = useStatus().data;
  const chosen = useStore(chosenSize);
  return { windowS: shownSize(status, chosen), mainS: status?.window_s ?? 300, sizes: sizesOf(status) };
}

/** Chooses among the sizes that are counted; nothing where there is only one. */
export function WindowSwitch() {
  const { windowS, sizes } = useWindowSize();
  if (sizes.length < 2) return null;
  return (
    <div className="switch" role="group" aria-label="Windows of">
      {sizes.map((size) => (
        <button
          key={size}
          type="button"
          className="span"
          aria-pressed={size === windowS}
          title={`posts per ${format.windowSpan(size)} (w: next)`}
          onClick={() => chosenSize.set(size)}
        >
          {format.duration(size)}
        </button>
      ))}
    </div>
  );
}
