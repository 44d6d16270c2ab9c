// Copy buttons: [data-copy] names the element whose text goes to the clipboard. Hidden until this script is here to serve them.
const say = (text) => {
  const open = document.querySelector("dialog[open] [role=status]");
  const live = open ?? document.getElementById("live");
  if (live) live.textContent = text;
};

const show = (root) => root.querySelectorAll("[data-copy][hidden]").forEach((button) => (button.hidden = false));
show(document);
new MutationObserver(() => show(document)).observe(document.body, { childList: true, subtree: true });

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const scope = button.closest("article") ?? document;
  const source = scope.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    say("Copied");
  } catch {
    // No permission, or no secure connection: select the text, so that the person can copy it.
    getSelection().selectAllChildren(source);
    source.scrollIntoView({ block: "nearest" });
    button.textContent = "Press Ctrl+C";
    say("The text is selected. Copy it with Control C.");
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
});
