package lighter

// Enter notes that child i is about to run. A module calls it before a child's Forward and [Node.Leave] after the last
// one: two stores, so that the step boundary can say which layer an operation failed in.
func (n *Node) Enter(i int) { n.running = i + 1 }

// Leave notes that no child runs any more.
func (n *Node) Leave() { n.running = 0 }

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
