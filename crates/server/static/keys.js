// Keys: / search, j and k rows, Enter details, Esc back, ? help.
const HELP = [
  ["/", "Go to the search field"],
  ["j", "Next event"],
  ["k", "Previous event"],
  ["Enter", "Details of the event"],
  ["Esc", "Close, or leave the field"],
  ["?", "This help"],
];

const help = document.createElement("dialog");
help.className = "help-dialog";
help.setAttribute("aria-labelledby", "help-title");
help.innerHTML = `<h2 id="help-title">Keyboard shortcuts</h2><dl>${HELP.map(
  ([key, what]) => `<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`,
).join("")}</dl><form method="dialog"><button>Close</button></form>`;
document.body.append(help);
document.querySelectorAll("[data-keys-hint]").forEach((hint) => (hint.hidden = false));

const links = [...document.querySelectorAll("table.events a[data-details]")];

function step(by) {
  const at = links.indexOf(document.activeElement);
  const to = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
  links[to]?.focus();
  links[to]?.closest("tr").scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && isTyping) event.target.blur();
  if (isTyping || document.querySelector("dialog[open]")) return;
  const act = {
    "/": () => document.getElementById("q")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    "?": () => help.showModal(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
