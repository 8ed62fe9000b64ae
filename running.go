package lighter

// Enter notes that child i is about to run. A module calls it before a child's Forward and [Node.Leave] after the last
// one: a store and a test each, so that the step boundary can say which layer an operation failed in.
func (n *Node) Enter(i int) {
	if n.observer != nil {
		n.tell(i)
	}
	n.running = i + 1
}

// Leave notes that no child runs any more.
func (n *Node) Leave() {
	if n.observer != nil {
		n.tell(-1)
	}
	n.running = 0
}

// tell lets the observer know that the child under way is done and that the next one begins; -1 is none.
func (n *Node) tell(next int) {
	if n.running > 0 {
		n.observer.Leave(n, n.running-1)
	}
	if next >= 0 {
		n.observer.Enter(n, next)
	}
}

// Observer is told when a child of a module begins and when it is done; children of children come in between.
type Observer interface {
	Enter(n *Node, child int)
	Leave(n *Node, child int)
}

// Observe tells o what runs in this module and in all inside it, from now on; nil tells nobody.
func (n *Node) Observe(o Observer) {
	n.Walk(func(_ string, m *Node) { m.observer = o })
}

// Run is the Forward of child i, with Enter and Leave around it.
func (n *Node) Run(i int, in ...Value) Value {
	n.Enter(i)
	out := n.children[i].Module.Forward(in...)
	n.Leave()
	return out
}

// Failed gives the path, from this module, of the one whose Forward an operation's error stopped, and forgets it: call it
// once with every error recovered. When the error came from elsewhere (a loss outside the tree, the backward pass, an
// optimizer), the path is "" and the module this one.
func (n *Node) Failed() (path string, module *Node) {
	for n.running > 0 && n.running <= len(n.children) {
		c := n.children[n.running-1]
		n.running = 0
		path = join(path, c.Name)
		n = c.Module.Tree()
	}
	return path, n
}
