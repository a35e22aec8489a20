import { useEffect, useState } from "react";
import { theme } from "../lib/theme";

const NAMES = ["text", "muted", "line", "line-strong", "series", "band", "unusual", "unusual-fill", "surface"] as const;
export type Colours = Record<(typeof NAMES)[number], string>;

/** The tokens as plain colours, for ECharts, which knows no custom properties. */
function readColours(): Colours {
  const probe = document.createElement("i");
  document.body.append(probe);
  const colours = {} as Colours;
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

/** The colours of the theme in force, followed as it changes. */
export function useColours(): Colours {
  const [colours, setColours] = useState(readColours);
  useEffect(() => {
    const read = () => setColours(readColours());
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", read);
    const forget = theme.subscribe(read);
    return () => {
      system.removeEventListener("change", read);
      forget();
    };
  }, []);
  return colours;
}
