// Runs before the page is shown, so that it does not change its colours afterwards.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "dark" || theme === "light")
    document.documentElement.dataset.theme = theme;
} catch {
  // The browser keeps nothing for this page.
}
