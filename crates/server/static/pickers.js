// Lists of checkboxes: a field that narrows them, what is chosen on the closed list, closing by Escape or by a click elsewhere.
const chosenText = (picker) => {
  const boxes = [...picker.querySelectorAll("input[type=checkbox]:checked")];
  if (boxes.length === 0) return picker.dataset.none;
  if (boxes.length > 1) return `${boxes.length} selected`;
  const label = boxes[0].nextElementSibling.cloneNode(true);
  label.querySelector("code")?.remove();
  return label.textContent.trim();
};

const narrow = (picker, words) => {
  let any = false;
  for (const group of picker.querySelectorAll("fieldset")) {
    let some = false;
    for (const option of group.querySelectorAll(".option")) {
      const text = `${group.querySelector("legend").textContent} ${option.textContent}`.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word));
      some ||= !option.hidden;
    }
    group.hidden = !some;
    any ||= some;
  }
  const none = picker.querySelector("[data-none]");
  if (none) none.hidden = any;
};

for (const picker of document.querySelectorAll("[data-picker]")) {
  const summary = picker.querySelector("summary");
  const find = picker.querySelector("[data-find]");
  const close = (refocus) => {
    picker.open = false;
    if (refocus) summary.focus();
  };
  picker.addEventListener("change", () => {
    picker.querySelector(".chosen").textContent = chosenText(picker);
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && picker.open) {
      event.preventDefault();
      close(true);
    }
    if (event.key === "Enter" && event.target.type === "checkbox") picker.closest("form").requestSubmit();
    if (event.key === "Enter" && event.target === find) {
      // The first match, not the whole form.
      event.preventDefault();
      picker.querySelector(".option:not([hidden]) input")?.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (picker.open && !picker.contains(event.target)) close(false);
  });
  picker.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !picker.contains(event.relatedTarget)) close(false);
  });
  if (find) {
    find.hidden = false;
    find.addEventListener("input", () => narrow(picker, find.value.toLowerCase().split(/\s+/).filter(Boolean)));
    picker.addEventListener("toggle", () => picker.open && find.focus());
  }
}
