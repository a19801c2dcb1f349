"""What is told, as frozen views: the programme makes them, the outbox keeps some of them, templates say them."""
