"""What ships: manifest, generated C and C++, model card, lineage, versions and destinations."""
