/* Buttons that copy the text of an element: data-copy is its id. */
"use strict";

{
  /* Where a page may not write to the clipboard, as in some browsers if it was opened from a file. */
  const copySelected = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const text = source.value ?? source.textContent;
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      isCopied = copySelected(text);
      button.focus();
    }
    const status = button.querySelector("[role=status]");
    status.textContent = isCopied ? "Copied" : "Select the text and copy it";
    setTimeout(() => { status.textContent = ""; }, 2000);
  });
}
