/** How is the demo account reset from its page? The form asks REST, and its answer is told in words. */

/** Return what to tell after the call. */
export async function resetWords(answer) {
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return `Done. The demo account has ${body.BTC} BTC again.`;
  return `It was not reset. ${body.message ?? `The server answered ${answer.status}.`}`;
}

/** Send the form and show what came of it. */
export async function reset(form, {fetch, outcome, dialog}) {
  dialog.hidePopover();
  const token = form.elements.csrfmiddlewaretoken.value;
  try {
    outcome.textContent = await resetWords(await fetch(form.action, {method: "POST", headers: {"X-CSRFToken": token}}));
  } catch {
    outcome.textContent = "It was not reset. The server cannot be reached.";
  }
  outcome.hidden = false;
}

/** Let the page's form do it. */
export function start(document, fetch) {
  const form = document.getElementById("demo-reset");
  const outcome = document.getElementById("outcome");
  const dialog = document.getElementById("reset");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    return reset(form, {fetch, outcome, dialog});
  });
}

if (typeof document !== "undefined") start(document, (...call) => fetch(...call));
