// TFMA's components would fetch fonts and Google's charts as they are loaded. The confusion matrix needs
// neither: fonts are skipped by Polymer's own switch, and charts are declared to be loaded already.
window.polymerSkipLoadingFontRoboto = true;
window.google = { charts: { load() {}, setOnLoadCallback() {} } };
