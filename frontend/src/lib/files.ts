import { navigate } from "./router";

/** The input that the page Data keeps for choosing files. */
export const FILES_ID = "files";

/** Open the system's file chooser, on the page that takes files. */
export function askForFiles(): void {
  const input = document.getElementById(FILES_ID);
  if (input) {
    input.click();
    return;
  }
  navigate("/data");
  // The page comes with its own chunk; a browser opens a chooser only shortly after a key or a click.
  let tries = 0;
  const look = () => {
    const there = document.getElementById(FILES_ID);
    if (there) there.click();
    else if ((tries += 1) < 60) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
