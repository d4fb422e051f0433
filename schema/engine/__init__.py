"""Generic GraphQL machinery for Graphene on Django. It knows nothing of shops."""
