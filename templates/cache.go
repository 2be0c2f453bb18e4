package templates

import (
	"container/list"
	"sync"
)

// A Cache keeps what was compiled, by the content of the source: an edited row
// is another entry, and rows with the same text share one. It holds at most
// Limit entries and forgets the one that was not asked for the longest. The
// zero Cache is ready to use, by any number of goroutines at once.
type Cache struct {
	Limit int // 0: 1000 entries; not to be changed once in use

	mu      sync.Mutex // guards what follows
	entries map[content]*list.Element
	recent  list.List // of *entry, the latest first
}

// content is what a compiled source depends on.
type content struct {
	channel, locale, subject, body string
}

type entry struct {
	key      content
	compiled *Compiled
	err      error
}

// Compile is [Source.Compile], remembered. A mistake is remembered too.
func (c *Cache) Compile(s Source) (*Compiled, error) {
	key := content{s.Channel, s.Locale, s.Subject, s.Body}
	if e, ok := c.find(key); ok {
		return e.compiled, e.err
	}
	e := &entry{key: key}
	e.compiled, e.err = s.Compile()
	c.add(e)
	return e.compiled, e.err
}

func (c *Cache) find(key content) (*entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*entry), true
}

// add keeps an entry, unless another goroutine was quicker.
func (c *Cache) add(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[e.key]; ok {
		return
	}
	if c.entries == nil {
		c.entries = map[content]*list.Element{}
	}
	c.entries[e.key] = c.recent.PushFront(e)
	if c.recent.Len() > c.limit() {
		oldest := c.recent.Back()
		delete(c.entries, c.recent.Remove(oldest).(*entry).key)
	}
}

func (c *Cache) limit() int {
	if c.Limit > 0 {
		return c.Limit
	}
	return 1000
}
