/** Before anything is painted: the theme that was chosen here. No module, because modules come after the first paint. */

try {
  const theme = localStorage.getItem("tickwire.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing follows the system.
}
