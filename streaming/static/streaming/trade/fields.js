/** How does a form say what is wrong, at the field it is about? */

/** Show words at each field that has a problem, and none at the others; `inputs` is name -> input, `find(id)` the page's. */
export function showProblems(inputs, find, problems) {
  for (const [name, input] of Object.entries(inputs)) {
    const words = problems[name] ?? "";
    const line = find(`${input.id}-problem`);
    if (line.textContent !== words) line.textContent = words;
    if (input.getAttribute("aria-invalid") !== String(words !== "")) input.setAttribute("aria-invalid", String(words !== ""));
  }
}

/** Return the texts of inputs. */
export function textsOf(inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]));
}
