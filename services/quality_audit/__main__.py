from services.quality_audit.app import main

if __name__ == "__main__":
    main()
