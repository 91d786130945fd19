package pubsub

import "slices"

// channel is a name that a lane listens to. Its fields are guarded by the lane's mutex; listeners is replaced and never changed, so that what was read
// of it can be walked over without.
type channel struct {
	name      string
	listeners []*Subscription
	lingers   bool // nobody listens, and it is kept for whoever comes back
	asked     bool // the last that the connection was told of it is to subscribe
	confirmed bool // Redis has confirmed that
	leaving   int  // unsubscriptions that Redis has not confirmed
	touched   bool // it stands among what is to be compared
}

func (ch *channel) wanted() bool { return len(ch.listeners) > 0 || ch.lingers }

// lingerMax is how many channels of a lane may wait for somebody to come back.
const lingerMax = 20_000

// add gives a name another listener. Called with mu held.
func (l *lane) add(sub *Subscription) {
	ch := l.channels[sub.name]
	if ch == nil {
		ch = &channel{name: sub.name}
		l.channels[sub.name] = ch
	}
	sub.lane, sub.channel = l, ch
	if len(ch.listeners) == 0 {
		l.listened++
	}
	ch.listeners = append(slices.Clip(ch.listeners), sub)
	if ch.lingers {
		ch.lingers = false
		delete(l.left, ch)
		delete(l.leftBefore, ch)
	}
	if ch.confirmed {
		sub.becomeReady()
	} else {
		l.touch(ch)
	}
}

// remove takes a listener away, and does nothing when it is gone. The last one leaves the channel behind for a while.
func (l *lane) remove(sub *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ch := sub.channel
	i := slices.Index(ch.listeners, sub)
	if i < 0 {
		return
	}
	ch.listeners = slices.Delete(slices.Clone(ch.listeners), i, i+1)
	if len(ch.listeners) > 0 {
		return
	}
	l.listened--
	switch {
	case ch.asked && len(l.left) < lingerMax:
		ch.lingers = true
		l.left[ch] = struct{}{}
	case ch.asked:
		l.touch(ch)
	default:
		l.drop(ch)
	}
}

// drop forgets a channel that is not wanted, unless Redis has still to say something about it. Called with mu held.
func (l *lane) drop(ch *channel) {
	if !ch.wanted() && !ch.asked && ch.leaving == 0 {
		delete(l.channels, ch.name)
	}
}

// touch has a channel compared soon. Without a connection there is nothing to compare with; a new one has everything compared. Called with mu held.
func (l *lane) touch(ch *channel) {
	if !l.connected || ch.touched {
		return
	}
	ch.touched = true
	l.touched = append(l.touched, ch)
	select {
	case l.stir <- struct{}{}:
	default:
	}
}

// adopt has everything that is wanted asked for on a new connection.
func (l *lane) adopt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected = true
	for _, ch := range l.channels {
		l.touch(ch)
	}
}

// compare answers what must be told to the connection for it to have been asked for exactly what is wanted.
func (l *lane) compare() (more, less []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ch := range l.touched {
		ch.touched = false
		switch wanted := ch.wanted(); {
		case wanted && !ch.asked:
			ch.asked = true
			more = append(more, ch.name)
		case !wanted && ch.asked:
			ch.asked, ch.confirmed = false, false
			ch.leaving++
			less = append(less, ch.name)
		}
	}
	clear(l.touched)
	l.touched = l.touched[:0]
	return more, less
}

// sweep gives up what nobody came back to between the sweep before and this one. It answers whether nothing is wanted any more: then the connection goes,
// and all that lingered on it.
func (l *lane) sweep() (idle bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ch := range l.leftBefore {
		ch.lingers = false
		l.touch(ch)
	}
	clear(l.leftBefore)
	l.left, l.leftBefore = l.leftBefore, l.left
	return l.listened == 0 && len(l.leftBefore) == 0
}

// confirm is called when Redis has confirmed a subscription. One that was given up since and asked for again has another confirmation to come.
func (l *lane) confirm(name []byte) {
	l.mu.Lock()
	var told []*Subscription
	if ch := l.channels[string(name)]; ch != nil && ch.asked && ch.leaving == 0 {
		ch.confirmed = true
		told = ch.listeners
		for _, sub := range told {
			sub.becomeReady()
		}
	}
	l.mu.Unlock()
	for _, sub := range told {
		sub.listener.Live(true)
	}
}

// released is called when Redis says that a channel is not subscribed to any more, and answers whether that was asked for.
func (l *lane) released(name []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ch := l.channels[string(name)]
	if ch == nil || ch.leaving == 0 {
		return false
	}
	ch.leaving--
	l.drop(ch)
	return true
}

// deliver brings a message to whoever listens.
func (l *lane) deliver(name, payload []byte) {
	l.mu.Lock()
	var told []*Subscription
	if ch := l.channels[string(name)]; ch != nil {
		told = ch.listeners
	}
	l.mu.Unlock()
	for _, sub := range told {
		sub.listener.Message(payload)
		if sub.listener.Calm != nil && !sub.told {
			sub.told = true
			l.told = append(l.told, sub)
		}
	}
}

// calm says to whoever was told something that nothing more has come yet.
func (l *lane) calm() {
	for _, sub := range l.told {
		sub.told = false
		sub.listener.Calm()
	}
	clear(l.told)
	l.told = l.told[:0]
}

// silence tells every listener that nothing is live any more.
func (l *lane) silence() {
	l.mu.Lock()
	var told []*Subscription
	for _, ch := range l.channels {
		if ch.confirmed {
			ch.confirmed = false
			told = append(told, ch.listeners...)
		}
	}
	l.mu.Unlock()
	for _, sub := range told {
		sub.listener.Live(false)
	}
}

// forget has nothing asked for any more, and keeps nothing that nobody listens to. Whoever asks must have stopped.
func (l *lane) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected, l.touched = false, nil
	clear(l.left)
	clear(l.leftBefore)
	for _, ch := range l.channels {
		ch.lingers, ch.asked, ch.touched, ch.leaving = false, false, false, 0
		l.drop(ch)
	}
}
