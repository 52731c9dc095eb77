// A plain script that runs before anything is painted: the visitor's choice of colours would else show late.
(() => {
  try {
    const chosen = localStorage.getItem("frontdesk-colours");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.colours = chosen;
  } catch {
    // A frame of another site may have no storage: the system's colours are shown.
  }
})();
