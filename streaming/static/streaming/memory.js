/** What does this browser remember of its user's choices? What matters more is kept on the server. */

/** Return what was chosen, if it is one of `choices`; else the first of them. */
export function recall(name, choices) {
  const kept = storage()?.getItem(`tickwire.${name}`);
  return choices.includes(kept) ? kept : choices[0];
}

/** Keep a choice; "" forgets it. */
export function remember(name, value) {
  if (value) storage()?.setItem(`tickwire.${name}`, value);
  else storage()?.removeItem(`tickwire.${name}`);
}

/** A browser that keeps nothing throws at the mere mention. */
function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
