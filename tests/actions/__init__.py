"""The actions and the workflows, as StackStorm calls them."""
