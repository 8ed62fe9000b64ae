package registry

// Learnt is what components learnt from data while they were built, by their key paths: the state of a run that no batch
// changes. A checkpoint holds it, so that a later stage uses it and does not learn again.
type Learnt map[string]map[string]any

// Learnt is what the component learnt in the run that the checkpoint of the stage is of; nil when there is nothing.
func (e *Env) Learnt() map[string]any {
	if e.host == nil {
		return nil
	}
	return e.host.before[e.Path]
}

// Keep has the run's checkpoints hold what the component learnt.
func (e *Env) Keep(state map[string]any) {
	if e.host == nil {
		return
	}
	if e.host.learnt == nil {
		e.host.learnt = Learnt{}
	}
	e.host.learnt[e.Path] = state
}

// Remember gives components that are still to be built what they learnt before.
func (b *Build) Remember(before Learnt) { b.host.before = before }

// Learnt is what has been kept.
func (b *Build) Learnt() Learnt { return b.host.learnt }
