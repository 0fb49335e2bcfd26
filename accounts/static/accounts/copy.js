/** How does a text get from the page into the clipboard? `<button data-copy="#secret">` copies what it names. */

/**
 * Copy an element's text and say so beside the button. Where the clipboard is not to be had (a page that came over plain
 * HTTP from another machine), the text is selected, for the person to copy.
 */
export async function copyText(button, {document, clipboard}) {
  const source = document.querySelector(button.dataset.copy);
  const said = button.parentElement.querySelector(".copied");
  try {
    await clipboard.writeText(source.innerText.trim());
    said.textContent = "Copied";
  } catch {
    document.getSelection().selectAllChildren(source);
    said.textContent = "Selected: copy it with Ctrl+C";
  }
}

/** Let every such button of a page do it. */
export function start(document, clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => copyText(button, {document, clipboard}));
  }
}

if (typeof document !== "undefined") start(document, navigator.clipboard);
