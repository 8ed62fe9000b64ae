// Package report writes a run's report.html: one page with the curves, the metrics, the configuration and the timing of a
// run, that loads nothing and that a resumed run reads back to go on with. It draws with uPlot (folder uplot, MIT licence).
package report
